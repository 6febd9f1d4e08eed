def double (n : Nat) : Nat := n + n

axiom double_odd (n : Nat) : double n % 2 = 1
