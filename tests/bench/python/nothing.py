"""The programs' common part alone, without any call: what the interpreter itself takes."""

from works import Call, Config, Side, main


class Nothing(Side):
    def __init__(self, config: Config, keeps: bool) -> None:
        pass

    def caller(self) -> Call:
        return lambda: None


if __name__ == "__main__":
    main(Nothing)
