"""Pages of very many numbers: in order, found by how they begin, none twice and none left out."""

import random

from mmsc.engine.roll import Roll


def test_pages_are_those_of_a_sorted_list_whatever_comes_and_goes() -> None:
    chance, names, roll = random.Random(7), set[str](), Roll()
    for _ in range(600):
        name = f"+{chance.randrange(1, 4000)}"
        if chance.random() < 0.6:
            names.add(name)
            roll.add(name)
        else:
            names.discard(name)
            roll.drop(name)
        beginning = chance.choice(("", "+1", "+39", name))
        after = chance.choice(("", "+2", name))
        expected = [one for one in sorted(names) if one > after and one.startswith(beginning)][:7]
        assert roll.page(names, after, beginning, 7) == expected
    roll.forget()
    assert roll.page(names, "", "", 3) == sorted(names)[:3]
