opaque secret : Nat

theorem secret_le : secret ≤ secret + 1 := sorry
