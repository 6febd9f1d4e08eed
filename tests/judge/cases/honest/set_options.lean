set_option autoImplicit true
set_option relaxedAutoImplicit false
set_option maxHeartbeats 400000
set_option maxRecDepth 4000
set_option linter.all true
set_option pp.all true
set_option trace.Meta.synthInstance false
set_option pp.unicode.fun true
def double (n : Nat) : Nat := n + n
set_option maxHeartbeats 200000 in
theorem double_even (n : Nat) : double n % 2 = 0 := by
  show (n + n) % 2 = 0
  calc (n + n) % 2 = (2 * n) % 2 := by rw [Nat.two_mul]
    _ = 0 := Nat.mul_mod_right 2 n
