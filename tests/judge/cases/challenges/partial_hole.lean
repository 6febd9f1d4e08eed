def f (n : Nat) : Nat := if n = 0 then 1 else sorry

theorem f_zero : f 0 = 1 := sorry
