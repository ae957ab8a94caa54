"""Training of the networks that ship. Nothing at run time imports this folder."""
