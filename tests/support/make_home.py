"""Makes the home that a later version must go on with: ``python -m tests.support.make_home FILE.tar.xz``.

Run it where a version is checked out, before the next one changes what homes hold; ``test_upgrade`` goes on with each
file of ``tests/data/homes``. One made-up district of two quarters, the later one published. The warehouse and dbt's
folder are left out: a run makes them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import campaign, worlds


def main(archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="cchc-") as folder:
        home = Path(folder) / "home"
        (world,) = campaign.worlds_of(1, 5, most_communes=6)
        answers = campaign.published(home, [worlds.papers(world)], [world.district.code])
        assert not answers[world.district.code].held
        left_out = ["--exclude=./warehouse/warehouse.duckdb", "--exclude=./warehouse/dbt"]
        subprocess.run(["tar", "-cJf", archive.resolve(), *left_out, "."], cwd=home, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
