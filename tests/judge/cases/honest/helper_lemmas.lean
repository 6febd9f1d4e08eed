def double (n : Nat) : Nat := n + n

theorem helper (n : Nat) : (n + n) % 2 = 0 := by omega

private theorem helper' (n : Nat) : double n = n + n := rfl

theorem double_even (n : Nat) : double n % 2 = 0 := by
  rw [helper' n]
  exact helper n
