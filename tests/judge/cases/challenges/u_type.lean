abbrev T : Type := sorry
theorem t (a b : T) : a = b := sorry
