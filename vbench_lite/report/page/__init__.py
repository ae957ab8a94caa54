"""The report as one page. This text says how the page is put together, and how to add a section to it.

A page is a masthead (`first.html`), the six answers (`answers.html`) and a list of sections. `order.py` names the
sections in the order in which they are read. Each one is a file in `sections/` with a function

    def sections(scene: Scene) -> Iterable[Section]: ...

that takes one scenario and gives no section where the run has no data for it. To add one, say on human evaluation:

1. `sections/human.py`: the function above. It gives `Section("human", "What people say", "human.html", data={...})`.
   `data` holds what the template shows; it is computed by `analysis` or `report.answers`, not in the template.
2. `sections/human.html`: a Jinja template with the body; heading and lede are written around it. Every text is
   escaped by Jinja. `macros.html` has generators' names, tables and definitions; `style=` attributes and inline
   handlers are refused by the page's policy.
3. One line in `order.py`.

`sections/human.css` and `sections/human.js`, where they exist, are added to the page's style and script. The scripts
of a page are one function: names that `script/base.js` defines (`all`, `one`, `make`, `data`, ...) can be used.

Links to clips are fragments that `links.py` writes and `script/view.js` reads: `#g=tiny-diffusion&by=detail` shows the
clips of one generator, the best first, and `#clip=tiny-diffusion/prompt-id/seed` opens one. A fact about a clip that
the viewer shows is one line in `formats.clip_board.clip_facts`.
"""
