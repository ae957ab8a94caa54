"""Addresses within the page that show the clips behind a number. `page/script/view.js` reads them."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def clips_address(*, generator: str = "", by: str = "", state: str = "", category: str = "", suite: str = "") -> str:
    """The fragment that shows a choice of clips.

    Args:
        generator: Label of the generator; "" for all of them.
        by: A metric, or "cost", that sorts the clips, the best first; "" keeps the page's order by prompt.
        state: "usable", "close", "unusable", "failed", "missing", or "because:<metric or code>".
        category, suite: Of the prompts; "" for all.

    >>> clips_address(generator="tiny-diffusion", by="detail")
    '#g=tiny-diffusion&by=detail'
    """
    asked = {"g": generator, "by": by, "state": state, "category": category, "suite": suite}
    return "#" + urlencode({name: value for name, value in asked.items() if value}, quote_via=quote, safe=":")


def clip_address(suite: str, generator: str, prompt: str, seed: str) -> str:
    """Names one clip, the same in every report that shows it: the value of `clip` in a fragment, not yet quoted.

    >>> clip_address("ads", "tiny-diffusion", "vase", "17")
    'ads/tiny-diffusion/vase/17'
    """
    return "/".join((suite, generator, prompt, seed))
