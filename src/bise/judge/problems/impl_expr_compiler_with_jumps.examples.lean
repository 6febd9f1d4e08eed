open JumpCompiler

def runFrom (env : Nat → Int) (code : List Instr) : Nat → Nat × List Int → Nat × List Int
  | 0, s => s
  | n + 1, s =>
    match step env code s with
    | some t => runFrom env code n t
    | none => s

def outcome (e : Expr) : Nat × List Int :=
  runFrom (fun x => x) (compile e) (compile e).length (0, [])

#guard (outcome (.num 5)).2 = [5]
#guard (outcome (.num (-1))).2 = [-1]
#guard (outcome (.var 3)).2 = [3]
#guard (outcome (.add (.num 2) (.var 4))).2 = [6]
#guard (outcome (.less (.num 1) (.num 2))).2 = [1]
#guard (outcome (.less (.num 2) (.num 1))).2 = [0]
#guard (outcome (.cond (.num 0) (.num 7) (.num 8))).2 = [8]
#guard (outcome (.cond (.num 1) (.num 7) (.num 8))).2 = [7]
#guard (outcome (.cond (.var 0) (.num 7) (.cond (.var 1) (.num 8) (.num 9)))).2 = [8]
