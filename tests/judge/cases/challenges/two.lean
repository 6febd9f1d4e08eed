def double (n : Nat) : Nat := n + n

theorem double_even (n : Nat) : double n % 2 = 0 := sorry

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := double_even (double n)

theorem double_add (m n : Nat) : double (m + n) = double m + double n := sorry
