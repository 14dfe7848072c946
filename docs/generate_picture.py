"""Writes the README's picture: what `belfry demo` prints, shortened to its beginning and one story.

In: the shipped rules, the demo's default bank. Out: README.md, between its two marks.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MARKS = re.compile(r"(<!-- picture: make picture -->\n```text\n).*?(```\n)", re.DOTALL)
PROGRAM = "from belfry.cli import main; main()"


def shortened(output: str) -> str:
    """Everything before the table of rules, and the first story."""
    summary, _, rest = output.partition("\nThe rules that spoke most\n")
    stories = rest[rest.index("Three customers' stories") :]
    title, story = stories.split("\n\n")[:2]
    return f"{summary}\n{title.replace('Three', 'One of three')}\n\n{story.rstrip()}\n"


def main() -> None:
    """Run the demo as a newcomer would, into a pipe."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "demo", "--language", "en"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"COLUMNS": "96", "PATH": ""},
    )
    text = README.read_text(encoding="utf-8")
    picture = shortened(done.stdout)
    README.write_text(MARKS.sub(lambda hit: hit[1] + picture + hit[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
