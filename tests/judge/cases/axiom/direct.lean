def double (n : Nat) : Nat := n + n

axiom trust_me : False

theorem double_odd (n : Nat) : double n % 2 = 1 := trust_me.elim
