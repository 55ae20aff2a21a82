from sagehound.jobs import allocator


def test_settings_are_given_where_the_library_takes_them():
    assert bool(allocator.variables()) == allocator.is_glibc()


def test_the_note_says_how_to_switch_it_off():
    assert "--no-fast-malloc" in allocator.NOTE
