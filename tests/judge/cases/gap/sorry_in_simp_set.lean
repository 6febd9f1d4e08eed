def double (n : Nat) : Nat := n + n
@[simp] theorem silly (n : Nat) : (n + n) % 2 = 1 := sorry
theorem double_odd (n : Nat) : double n % 2 = 1 := by simp [double]
