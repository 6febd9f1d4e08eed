def good (n : Nat) : Prop := sorry

theorem good_two : good 2 := sorry
