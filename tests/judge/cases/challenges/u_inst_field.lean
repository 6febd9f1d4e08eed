structure K where
  id : Nat
instance : Add K where
  add := sorry
theorem t (a b : K) : a + b = b + a := sorry
