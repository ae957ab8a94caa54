"""The report as one page. This text describes the structure of the page, and how to add a section.

A page consists of a masthead (`first.html`), the six answers (`answers.html`) and a list of sections. `order.py` lists
the sections in order. Each is a file in `sections/` with a function

    def sections(scene: Scene) -> Iterable[Section]: ...

that takes one scenario and yields no section if the run has no data for it. To add a section on human evaluation:

1. `sections/human.py`: the function above. It yields `Section("human", "Human votes", "human.html", data={...})`.
   `data` has the values for the template. `analysis` or `report.answers` computes them, not the template.
2. `sections/human.html`: a Jinja template of the body. The page adds heading and lede. Jinja escapes every text.
   `macros.html` has generators' names, tables and definitions. The content security policy of the page blocks
   `style=` attributes and inline handlers.
3. One line in `order.py`.

`sections/human.css` and `sections/human.js`, if they exist, are added to the style and script of the page. The scripts
of a page form one function, so they can use the names of `script/base.js` (`all`, `one`, `make`, `data`, ...).

Links to clips are fragments that `links.py` writes and `script/view.js` reads: `#g=tiny-diffusion&by=detail` shows the
clips of one generator, the best first, and `#clip=tiny-diffusion/prompt-id/seed` opens one clip. Each fact about a clip
in the viewer is one line in `formats.clip_board.clip_facts`.
"""
