"""``python -m orchestration.cli`` is ``cchc``."""

from orchestration.cli import main

if __name__ == "__main__":
    main()
