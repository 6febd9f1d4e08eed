import Lean
def evil (_ : Nat) : Nat := 0
def half (n : Nat) : Nat := n / 2
open Lean Elab Command in
elab "both" : command => do
  let before ← getEnv
  elabCommand (← `(attribute [implemented_by evil] half))
  elabCommand (← `(def user (n : Nat) : Nat := half n))
  let state := Compiler.implementedByAttr.ext.getState before
  modifyEnv fun env => Compiler.implementedByAttr.ext.setState env state
both
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
