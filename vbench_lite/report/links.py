"""Addresses within the page that show the clips of a number. `page/script/view.js` reads them."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def clips_address(*, generator: str = "", by: str = "", state: str = "", category: str = "", suite: str = "") -> str:
    """The fragment that shows a selection of clips.

    Args:
        generator: Label of the generator; "" for all.
        by: A metric or "cost" by which the clips are sorted, the best first; "" keeps the order by prompt.
        state: "usable", "close", "unusable", "failed", "missing", or "because:<metric or code>".
        category, suite: Category and suite of the prompts; "" for all.

    >>> clips_address(generator="tiny-diffusion", by="detail")
    '#g=tiny-diffusion&by=detail'
    """
    asked = {"g": generator, "by": by, "state": state, "category": category, "suite": suite}
    return "#" + urlencode({name: value for name, value in asked.items() if value}, quote_via=quote, safe=":")


def clip_address(suite: str, generator: str, prompt: str, seed: str) -> str:
    """Identifies one clip, the same in every report with it: the value of `clip` in a fragment, not yet quoted.

    >>> clip_address("ads", "tiny-diffusion", "vase", "17")
    'ads/tiny-diffusion/vase/17'
    """
    return "/".join((suite, generator, prompt, seed))
