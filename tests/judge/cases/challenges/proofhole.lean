def two : 1 + 1 = 2 := sorry

theorem two_again : 2 = 1 + 1 := two.symm
