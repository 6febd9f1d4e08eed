set_option autoImplicit true
def doubl (n : Nat) : Nat := n + n
theorem double_odd {double : Nat → Nat} (h : ∀ n, double n = 1) (n : Nat) : double n % 2 = 1 := by rw [h]
