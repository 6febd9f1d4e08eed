def f (n : Nat) : Nat :=
  let rec g (k : Nat) : Nat := sorry
  g n
theorem t : f 1 = 1 := sorry
