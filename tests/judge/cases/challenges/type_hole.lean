def Good : Type := sorry

theorem good (a b : Good) : a = b := sorry
