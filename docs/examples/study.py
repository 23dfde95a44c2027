import tacit

PAY = tacit.ArraySpec((400,), owner="bank", bounds=(0, 20))
AGE = tacit.ArraySpec((400,), owner="bank", bounds=(18, 70))
PAY2 = tacit.ArraySpec((250,), owner="hospital", bounds=(0, 20))
AGE2 = tacit.ArraySpec((250,), owner="hospital", bounds=(18, 70))


def study(pay, age, pay_2, age_2):
    pays, ages = tacit.concat([pay, pay_2]), tacit.concat([age, age_2])
    old = ages >= 50
    count = old.sum()
    total = tacit.where(old, pays, 0).sum()
    return {
        "mean": pays.mean(),
        "mean_but_one": pays[1:].mean(),
        "old": tacit.where(count >= 10, total / tacit.clip(count, 10, 650), 0),
        "highest": tacit.max(pays),
    }


program = tacit.trace(study, PAY, AGE, PAY2, AGE2, to="institute")
if __name__ == "__main__":
    print(program.explain())
