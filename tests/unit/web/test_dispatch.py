import pytest

from shared.web.dispatch import Table


def table(*paths: str, method: str = "GET") -> Table[str]:
    made: Table[str] = Table()
    for path in paths:
        made.add(method, path, path)
    return made


def test_the_right_one_of_500_routes_is_found_with_its_parameters() -> None:
    made = table(*(f"/v1/group{n}/{{id}}/items/{{itemId}}" for n in range(500)))

    assert made.find("GET", "/v1/group417/a/items/b") == ("/v1/group417/{id}/items/{itemId}", ["a", "b"])


@pytest.mark.parametrize("order", [1, -1])
def test_a_literal_segment_goes_before_a_parameter(order: int) -> None:
    made = table(*["/users/identities/{id}", "/users/{userId}/{id}", "/users/identities", "/users/{userId}"][::order])

    assert made.find("GET", "/users/identities") == ("/users/identities", [])
    assert made.find("GET", "/users/u1") == ("/users/{userId}", ["u1"])
    assert made.find("GET", "/users/identities/i1") == ("/users/identities/{id}", ["i1"])


def test_the_parameter_is_tried_if_the_literal_leads_nowhere() -> None:
    made = table("/users/identities/{id}/x", "/users/{userId}/{id}/y")

    assert made.find("GET", "/users/identities/i1/y") == ("/users/{userId}/{id}/y", ["identities", "i1"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/{userId}"),
        ("GET", "/users"),
        ("GET", "/users/a/b"),
        ("GET", "users/a"),
        ("GET", ""),
        ("GET", "*"),
    ],
)
def test_an_undeclared_path_is_not_found(method: str, path: str) -> None:
    assert table("/users/{userId}", "/users/a/b/c").find(method, path) is None


@pytest.mark.parametrize("path", ["/users", "/users/{userId}"])
def test_two_routes_for_one_path_are_refused(path: str) -> None:
    made = table(path)

    with pytest.raises(ValueError, match="two routes"):
        made.add("GET", path, "other")


def test_parameters_of_different_names_are_the_same_path() -> None:
    made = table("/users/{userId}")

    with pytest.raises(ValueError, match="two routes"):
        made.add("GET", "/users/{id}", "other")
