def bound (n : Nat) : { m : Nat // m > n } := ⟨n + 1, Nat.lt_succ_self n⟩
theorem t (n : Nat) : n < (bound n).val := (bound n).property
