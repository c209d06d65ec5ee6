import pytest

import leeway
from leeway.errors import StoreError

ENDPOINT = "shop/server/a/default/a/v1"


def test_plot_is_a_function_the_second_time_too(drifted):
    for _ in range(2):
        assert len(leeway.plot(ENDPOINT, drifted.settings).axes) == 2


def test_an_endpoint_may_be_left_out_where_there_is_only_one(drifted):
    errors, statistic = leeway.plot(settings=drifted.settings).axes
    assert errors.get_title(loc="left") == "Error rate" and statistic.get_title(loc="left") == "CUSUM statistic"
    assert len(errors.get_lines()[-1].get_xdata()) == 4  # a point for each 500 labelled rows


def test_a_part_of_a_name_finds_its_endpoint(run, maker):
    maker.predict("a", "x")
    maker.predict("b", "x")
    run.take(maker)
    assert leeway.plot("server/b", run.settings).axes
    with pytest.raises(StoreError, match=r"several of those there are: .*/a/v1, .*/b/v1"):
        leeway.plot("server", run.settings)
    with pytest.raises(StoreError, match="none of those there are"):
        leeway.plot("nobody", run.settings)


def test_a_notebook_shows_it_without_pyplot(drifted):
    assert leeway.plot(ENDPOINT, drifted.settings)._repr_png_().startswith(b"\x89PNG")
