"""`python -m bise` is `bise`, where no command of that name was installed."""

from bise.cli import main

if __name__ == "__main__":
    main()
