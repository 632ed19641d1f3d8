"""``python -m target_decisioning``: the command line."""

from target_decisioning.cli import main

if __name__ == "__main__":
    main()
