def double (n : Nat) : Nat := n + n

namespace Other
theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega
end Other
