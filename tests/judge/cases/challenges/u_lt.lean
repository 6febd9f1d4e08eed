structure K where
  id : Nat
instance : LT K := sorry
theorem t (a : K) : ¬ a < a := sorry
