def secret : Nat := 0

theorem secret_le : secret ≤ secret + 1 := Nat.le_succ _
