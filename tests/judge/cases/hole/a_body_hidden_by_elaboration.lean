import Lean

open Lean Elab Command in
elab "prepare" : command => do
  let env ← getEnv
  let body := Expr.lam `n (mkConst ``Nat) (mkNatLit 42) .default
  let type := Expr.forallE `n (mkConst ``Nat) (mkConst ``Nat) .default
  let hidden := Declaration.mutualDefnDecl [{
    name := mkPrivateName env `half._unsafe_rec, levelParams := [], type, value := body,
    hints := .opaque, safety := .partial }]
  match env.addDeclCore 0 hidden none false with
  | .ok env => setEnv env
  | .error _ => return ()

prepare

def half (n : Nat) : Nat := n / 2

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half
  omega
