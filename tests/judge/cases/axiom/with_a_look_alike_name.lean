def double (n : Nat) : Nat := n + n

axiom «Classical.choice» (p : Prop) : p

theorem double_odd (n : Nat) : double n % 2 = 1 := «Classical.choice» _
