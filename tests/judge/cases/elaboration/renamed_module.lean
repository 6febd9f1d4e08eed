import Lean
open Lean Elab Command in
elab "other" : command => modifyEnv (·.setMainModule `Other)
other
def double (n : Nat) : Nat := n + n
theorem double_odd (n : Nat) : double n % 2 = double n % 2 := rfl
