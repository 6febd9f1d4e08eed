import Lean

def double (n : Nat) : Nat := n + n

open Lean Elab Command in
elab "prepare" : command => do
  let env ← getEnv
  let lie := Declaration.defnDecl {
    name := `lie, levelParams := [], type := mkConst ``Empty, value := mkConst ``Unit.unit,
    hints := .abbrev, safety := .safe }
  match env.addDeclCore 0 lie none false with
  | .ok env => setEnv env
  | .error _ => return ()

prepare

theorem double_odd (n : Nat) : double n % 2 = 1 := nomatch lie
