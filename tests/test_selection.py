"""Names with marks, and the order in which products are built."""

from __future__ import annotations

import pytest

from factory.errors import ProductError
from factory.selection import cycle, downstreams, in_order, reach, select

# orders and customers feed sales; sales feeds board; weather stands alone.
READS = {
    "orders": set(),
    "customers": set(),
    "sales": {"orders", "customers"},
    "board": {"sales"},
    "weather": set(),
}


@pytest.mark.parametrize(
    ("marks", "chosen"),
    [
        (["sales"], {"sales"}),
        (["+sales"], {"sales", "orders", "customers"}),
        (["sales+"], {"sales", "board"}),
        (["+sales+"], {"orders", "customers", "sales", "board"}),
        (["+orders"], {"orders"}),
        (["board+"], {"board"}),
        (["orders", "weather"], {"orders", "weather"}),
        (["orders+", "+orders"], {"orders", "sales", "board"}),
        (["weather", "weather"], {"weather"}),
        ([], set(READS)),
    ],
)
def test_a_mark_takes_in_what_is_before_or_behind(marks: list[str], chosen: set[str]) -> None:
    assert select(marks, READS, READS) == chosen


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ProductError, match="there is no product 'order'") as caught:
        select(["+order"], READS, READS)
    assert caught.value.hint == "did you mean 'orders'?"


def test_an_unknown_name_like_no_other_is_told_with_all_there_are() -> None:
    with pytest.raises(ProductError) as caught:
        select(["zzz"], READS, READS)
    assert caught.value.hint == "products here: board, customers, orders, sales, weather"
    with pytest.raises(ProductError) as caught:
        select(["zzz"], (), {})
    assert caught.value.hint == "products here: none"


def test_every_product_stands_behind_what_it_reads_else_by_name() -> None:
    assert in_order(READS, READS) == ["customers", "orders", "weather", "sales", "board"]
    assert in_order(list(reversed(READS)), READS) == in_order(READS, READS)


def test_the_order_holds_over_products_that_are_not_chosen() -> None:
    assert in_order(["board", "orders"], READS) == ["orders", "board"]


def test_a_long_chain_is_put_in_order() -> None:
    chain = {f"p{n:03}": {f"p{n + 1:03}"} if n < 299 else set() for n in range(300)}
    assert in_order(chain, chain) == sorted(chain, reverse=True)


def test_who_reads_is_the_other_way_round() -> None:
    assert downstreams(READS) == {
        "orders": {"sales"},
        "customers": {"sales"},
        "sales": {"board"},
        "board": set(),
        "weather": set(),
    }
    assert reach({"orders"}, downstreams(READS)) == {"orders", "sales", "board"}


def test_what_is_read_may_be_a_product_that_is_not_here() -> None:
    assert downstreams({"sales": {"orders"}}) == {"sales": set(), "orders": {"sales"}}
    assert reach({"sales"}, {"sales": {"orders"}}) == {"sales", "orders"}


def test_a_cycle_is_named_product_by_product() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle({"x": {"x"}}) == ["x", "x"]
    assert cycle({"before": {"p"}, "p": {"q"}, "q": {"p"}}) == ["p", "q", "p"]


def test_a_diamond_is_no_cycle() -> None:
    assert cycle({"top": {"left", "right"}, "left": {"base"}, "right": {"base"}, "base": set()}) == []
    assert cycle(READS) == []


def test_reaching_over_a_cycle_ends() -> None:
    assert reach({"a"}, {"a": {"b"}, "b": {"a"}}) == {"a", "b"}
