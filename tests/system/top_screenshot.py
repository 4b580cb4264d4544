"""
Makes docs/images/top.svg: the screen of `attlsctl top` with real sessions. `top_screenshot.py FOLDER [SECONDS]`: traffic
runs for so long first (20), so that transfers have a percentage.
"""
import html
import itertools
import os
import re
import sys
import time

from page_screenshots import busy
from test_top import Terminal

COLUMNS, LINES = 100, 20
WIDTH, HEIGHT, MARGIN = 8.4, 18, 12  # of a character, and around all
BASELINE = 13
PAPER, INK = "#16191d", "#d8dee4"
COLOURS = {"green": "#6cc070", "red": "#f0716a", "default": INK}
BLOCKS = {"█": 1, "░": 0.25}  # drawn, since fonts leave gaps between them


def rectangle(x, y, columns, colour, opacity=1):
    return (f'<rect x="{MARGIN + x * WIDTH:.1f}" y="{MARGIN + y * HEIGHT}" width="{columns * WIDTH:.1f}" height="{HEIGHT}" '
            f'fill="{colour}" opacity="{opacity}"/>')


def runs(row):
    """(column, text, ink, paper, bold) of neighbours that look alike."""
    def look(x):
        char = row[x]
        ink, paper = COLOURS.get(char.fg, INK), None
        return (PAPER, ink, char.bold) if char.reverse else (ink, paper, char.bold)
    for (ink, paper, bold), columns in itertools.groupby(range(COLUMNS), look):
        columns = list(columns)
        yield columns[0], "".join(row[x].data for x in columns), ink, paper, bold


def svg(screen):
    width, height = COLUMNS * WIDTH + 2 * MARGIN, LINES * HEIGHT + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" '
           'font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">',
           f'<title>attlsctl top</title><rect width="100%" height="100%" rx="6" fill="{PAPER}"/>']
    for y in range(LINES):
        for x, text, ink, paper, bold in runs(screen.buffer[y]):
            if paper:
                out.append(rectangle(x, y, len(text), paper))
            for block, part in BLOCKS.items():
                for column in (i for i, char in enumerate(text) if char == block):
                    out.append(rectangle(x + column, y, 1, ink, part))
                text = text.replace(block, " ")
            for word in re.finditer(r"\S+(?: \S+)*", text):  # where blanks follow each other, viewers differ
                out.append(f'<text x="{MARGIN + (x + word.start()) * WIDTH:.1f}" y="{MARGIN + y * HEIGHT + BASELINE}" fill="{ink}" '
                           f'font-weight="{"bold" if bold else "normal"}" textLength="{len(word[0]) * WIDTH:.1f}" '
                           f'lengthAdjust="spacingAndGlyphs">{html.escape(word[0])}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main(to, seconds=20):
    with busy(seconds) as (_, _, control):
        with Terminal(control, columns=COLUMNS, lines=LINES, TERM="xterm") as top:
            top.shows("RETR", "%", "q quit")
            top.press("\x1b[B")
            end = time.monotonic() + 4  # two answers, so that rates are known
            while time.monotonic() < end:
                top.read()
            with open(os.path.join(to, "top.svg"), "w", encoding="utf-8") as f:
                f.write(svg(top.screen))
            print(top.text())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
