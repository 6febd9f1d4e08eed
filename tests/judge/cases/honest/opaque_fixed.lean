opaque secret : Nat

theorem secret_le : secret ≤ secret + 1 := Nat.le_succ _
