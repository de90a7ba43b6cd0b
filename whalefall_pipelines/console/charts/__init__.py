"""Pictures as pure functions from data to SVG: no I/O, no clock, no colour. Classes refer to the design tokens of the stylesheet.

Every picture has a second channel beside colour (shape, dash or sign), and a page shows the same numbers as a table.
"""
