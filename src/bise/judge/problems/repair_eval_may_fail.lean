namespace MayFail

inductive Expr where
  | num : Int → Expr
  | var : String → Expr
  | neg : Expr → Expr
  | sub : Expr → Expr → Expr
  | div : Expr → Expr → Expr

/-- Exchange the variables of an expression for others. -/
def rename (f : String → String) : Expr → Expr
  | .num n => .num n
  | .var x => .var (f x)
  | .neg a => .neg (rename f a)
  | .sub a b => .sub (rename f a) (rename f b)
  | .div a b => .div (rename f a) (rename f b)

/-- Take away double signs. -/
def tidy : Expr → Expr
  | .num n => .num n
  | .var x => .var x
  | .neg a =>
    match tidy a with
    | .neg b => b
    | b => .neg b
  | .sub a b => .sub (tidy a) (tidy b)
  | .div a b => .div (tidy a) (tidy b)

def eval (env : String → Int) : Expr → Option Int
  | .num n => some n
  | .var x => some (env x)
  | .neg a => (eval env a).map (fun x => -x)
  | .sub a b =>
    match eval env a, eval env b with
    | some x, some y => some (x - y)
    | _, _ => none
  | .div a b =>
    match eval env a, eval env b with
    | some x, some y => if y = 0 then none else some (x / y)
    | _, _ => none

/- Before `eval` was changed:

def eval (env : String → Int) : Expr → Int
  | .num n => n
  | .var x => env x
  | .neg a => -eval env a
  | .sub a b => eval env a - eval env b
  | .div a b => eval env a / eval env b

The proof that fitted it, and has to be mended:

theorem eval_rename (f : String → String) (env : String → Int) (e : Expr) :
    eval env (rename f e) = eval (fun x => env (f x)) e := by
  induction e with
  | num n => rfl
  | var x => rfl
  | neg a ih => simp only [rename, eval, ih]
  | sub a b iha ihb => simp only [rename, eval, iha, ihb]
  | div a b iha ihb => simp only [rename, eval, iha, ihb]

theorem eval_tidy (env : String → Int) (e : Expr) : eval env (tidy e) = eval env e := by
  induction e with
  | num n => rfl
  | var x => rfl
  | neg a ih =>
    simp only [tidy, eval, ← ih]
    split
    · rename_i b h
      rw [h, eval, Int.neg_neg]
    · rfl
  | sub a b iha ihb => simp only [tidy, eval, iha, ihb]
  | div a b iha ihb => simp only [tidy, eval, iha, ihb]
-/

theorem eval_rename (f : String → String) (env : String → Int) (e : Expr) :
    eval env (rename f e) = eval (fun x => env (f x)) e := sorry

theorem eval_tidy (env : String → Int) (e : Expr) : eval env (tidy e) = eval env e := sorry

theorem eval_div_self (env : String → Int) (e : Expr) (x : Int) (h : eval env e = some x)
    (hx : x ≠ 0) : eval env (.div e e) = some 1 := sorry

end MayFail
