def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  omega

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := by
  exact double_even (double n)

theorem double_add (m n : Nat) : double (m + n) = double m + double n := by
  simp [double]; omega
