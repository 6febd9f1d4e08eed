theorem t (n : Nat) : let k := (sorry : Nat); k = n → n = k := sorry
