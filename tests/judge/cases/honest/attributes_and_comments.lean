@[simp, grind] def double (n : Nat) : Nat := n + n

/-- docs -/
@[simp] theorem double_even (n : Nat) : double n % 2 = 0 := by simp; omega

protected theorem Nat.mine (n : Nat) : double n = 2 * n := by simp; omega

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := double_even (double n)

theorem double_add (m n : Nat) : double (m + n) = double m + double n := by
  rw [Nat.mine, Nat.mine, Nat.mine, Nat.mul_add]
