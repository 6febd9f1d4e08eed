def bound (n : Nat) : { m : Nat // m > n } := sorry
theorem t (n : Nat) : n < (bound n).val := (bound n).property
