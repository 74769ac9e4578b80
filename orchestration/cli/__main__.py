"""``python -m orchestration.cli`` is ``cchc``. Belongs here: nothing else."""

from orchestration.cli import main

if __name__ == "__main__":
    main()
